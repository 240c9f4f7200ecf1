"""Send a motion as Live Link Face packets, as a phone would.

Start `real3d view me.avatar --phone`, press Phone on the page, then run
python examples/06_stand_in_for_a_phone.py [motion.csv]
"""

import socket
import sys
import time
from pathlib import Path

from real3d.demo_motion import demo_motion
from real3d.live_link import PORT, LiveFrame, write_packet
from real3d.motion import Motion


def main(motion: Motion, host: str = "127.0.0.1", port: int = PORT) -> int:
    """Send every frame at its time; returns how many."""
    start_s = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        for k in range(len(motion)):
            time.sleep(max(0.0, start_s + k / motion.fps - time.monotonic()))
            live = LiveFrame("real3d", k, motion.fps, motion.coefficients[k], motion.rotation[k])
            phone.sendto(write_packet(live), (host, port))
    return len(motion)


if __name__ == "__main__":
    chosen = Motion.read(Path(sys.argv[1])) if len(sys.argv) > 1 else demo_motion(20.0, 60.0)
    print(main(chosen), "frames sent")
