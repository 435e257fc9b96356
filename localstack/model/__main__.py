"""`python -m localstack.model --port N`: serves the local model on loopback until it is stopped."""

import argparse

import uvicorn

from localstack.model.app import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m localstack.model", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="warning", ws="none", lifespan="off")


if __name__ == "__main__":
    main()
