"""`python -m localstack.model --port N`: serves the local model on loopback until it is stopped."""

import argparse
from pathlib import Path

import uvicorn

from localstack.model.app import create_app

LOOPBACK = "127.0.0.1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m localstack.model", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".local/model-cache"), help="keeps the ONNX graph")
    parser.add_argument(
        "--lossy", type=float, default=0.0, help="share of names and figures that summaries lose"
    )
    arguments = parser.parse_args()
    app = create_app(arguments.cache, lossy=arguments.lossy)
    uvicorn.run(app, host=LOOPBACK, port=arguments.port, log_level="warning", ws="none", lifespan="off")


if __name__ == "__main__":
    main()
