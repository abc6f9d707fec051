#!/bin/sh
# Process 1 of the guest, on the files of the machine outside: devices get their names from udev and the rules under test,
# then a reader says what happens to it on the second serial line, for on the console the kernel speaks whenever it likes, and
# the log. $1 is its kind, $2 where it is.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/../.." || exit
mkdir -p /run/udev/rules.d
cp hardware/udev/70-ipo-sim.rules /run/udev/rules.d/
/usr/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add
udevadm settle
if [ "$1" = pcsc ]; then
    pcscd
fi
exec .venv/bin/python -m tests.usb.guest "$1" "$2" /dev/ttyS1
