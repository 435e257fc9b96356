"""`cost estimate`: counted work times dated list prices."""
