"""`python -m pretrain_synthetic`: synthetic people with exact labels, and the template head."""

import logging
import sys
from collections.abc import Sequence

import tyro

from pretrain_synthetic.build_template import TemplateConfig
from pretrain_synthetic.calibrate import CalibrateConfig
from pretrain_synthetic.evaluate import EvaluateConfig
from pretrain_synthetic.one_shot import OneShotConfig
from pretrain_synthetic.render_shard import RenderConfig
from pretrain_synthetic.sheet import SheetConfig
from pretrain_synthetic.track_report import ReportConfig
from real3d.errors import Real3DError

COMMANDS = {
    "render": RenderConfig,
    "sheet": SheetConfig,
    "template": TemplateConfig,
    "calibrate": CalibrateConfig,
    "one-shot": OneShotConfig,
    "evaluate": EvaluateConfig,
    "report": ReportConfig,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0, or 2 when the input was wrong."""
    command = tyro.extras.subcommand_cli_from_dict(
        COMMANDS,
        prog="python -m pretrain_synthetic",
        description="Synthetic people with exact labels as training data, and the template head.",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        print(command.run())
    except Real3DError as error:
        print(f"pretrain_synthetic: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
