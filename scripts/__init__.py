"""What operators and developers run: the build, the locks, tenants and keys, the demo."""
