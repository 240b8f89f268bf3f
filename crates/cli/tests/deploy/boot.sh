#!/bin/sh
# systemd as the first process of namespaces: this machine's own system, with a layer above it that takes what is written.
# boot.sh FOLDER: what lies in FOLDER/files is put into that layer first.
set -eu
folder=$1
# What it makes of control groups stays below one that can be removed.
group=/sys/fs/cgroup/systemd/$(basename "$folder")
if [ -d /sys/fs/cgroup/systemd ]; then
    mkdir -p "$group"
    echo $$ >"$group/cgroup.procs"
fi
exec unshare --mount --pid --uts --ipc --cgroup --fork --kill-child sh -eu -c '
    mount --make-rprivate /
    layer=$0/layer
    mkdir "$layer"
    mount -t tmpfs tmpfs "$layer"
    mkdir "$layer/upper" "$layer/work" "$layer/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
    cd "$layer/root"
    # No service of this machine, and none that is started on the first boot of a new one.
    rm -rf etc/systemd/system etc/systemd/user
    cp -R "$0/files/." .
    echo 0123456789abcdef0123456789abcdef >etc/machine-id
    # The network is there already.
    for unit in systemd-networkd systemd-networkd-wait-online NetworkManager NetworkManager-wait-online; do
        ln -s /dev/null "etc/systemd/system/$unit.service"
    done
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount -t sysfs -o ro sysfs sys
    mount -t tmpfs tmpfs run
    mount -t tmpfs -o mode=755 tmpfs dev
    mkdir dev/pts dev/shm dev/mqueue
    mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    mknod -m 666 dev/null c 1 3
    mknod -m 666 dev/zero c 1 5
    mknod -m 666 dev/full c 1 7
    mknod -m 666 dev/random c 1 8
    mknod -m 666 dev/urandom c 1 9
    mknod -m 666 dev/tty c 5 0
    if [ -d /sys/fs/cgroup/systemd ]; then
        mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
        mkdir sys/fs/cgroup/systemd
        mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
    else
        mount -t cgroup2 cgroup2 sys/fs/cgroup
    fi
    mkdir -p old
    pivot_root . old
    umount -l /old
    # Nothing of this machine: neither its network, nor its clock, nor its kernel.
    exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        setpriv --bounding-set=-net_admin,-sys_time,-sys_module,-sys_boot,-sys_rawio \
        /lib/systemd/systemd --unit=basic.target --log-target=journal
' "$folder"
