import type { MachineFolder } from "./machine-folder.ts";

/**
 * Process 1 of a machine (or the head of its process group where there are no namespaces). It runs the user data once
 * and keeps the agent running, as systemd would. With a mount namespace of its own the stand-ins also lie over the host's
 * programs, and the sockets of its systemd are out of reach. It ends on SIGTERM, which the stand-ins for shutdown send, and when
 * the lab's end of its standard input is closed: no machine outlives the lab, however that ended.
 */
export function bootScript({ root, home, tmp }: MachineFolder): string {
  return `#!/bin/sh
exec 3<&0 </dev/null
cd ${quote(home)}
if [ "$GARRISON_LAB_NAMESPACES" = 1 ]; then
  mount --make-rprivate / 2>/dev/null
  for pair in $GARRISON_LAB_BINDS; do
    mount --bind ${quote(root)}/"\${pair%%:*}" "\${pair#*:}" || echo "not mounted: $pair"
  done
  for name in shutdown poweroff halt reboot systemctl systemd-run; do
    for folder in /sbin /usr/sbin /bin /usr/bin; do
      [ -e "$folder/$name" ] && mount --bind ${quote(root)}/bin/"$name" "$(readlink -f "$folder/$name")"
    done
  done
  for folder in /run/systemd /run/dbus; do
    [ -d "$folder" ] && mount -t tmpfs none "$folder"
  done
fi
export GARRISON_LAB_INIT_PID=$$
stop() {
  echo "machine stopping"
  if [ "$GARRISON_LAB_NAMESPACES" = 1 ]; then
    trap '' TERM
    kill -TERM -1 2>/dev/null
    sleep 0.2
  fi
  exit 0
}
trap stop TERM
echo "machine $GARRISON_LAB_MACHINE booting"
(
  if [ -f ${quote(root)}/user-data.sh ] && [ ! -f ${quote(root)}/user-data.done ]; then
    : > ${quote(root)}/user-data.done
    ${quote(root)}/user-data.sh
  fi
) 3<&- &
(
  while :; do
    "$GARRISON_LAB_NODE" --disable-warning=ExperimentalWarning "$GARRISON_LAB_AGENT" 3<&- &
    echo $! > ${quote(root)}/agent.pid
    wait $!
    sleep 1
  done
) 3<&- &
TMPDIR=${quote(tmp)} cat <&3 >/dev/null 3<&- &
wait $!
echo "the lab is gone"
if [ "$GARRISON_LAB_NAMESPACES" != 1 ]; then
  # What left the process group is known by the environment it inherited.
  for folder in /proc/[0-9]*; do
    [ "\${folder#/proc/}" = $$ ] && continue
    grep -qzxF "GARRISON_LAB_MACHINE_OF=$GARRISON_LAB_MACHINE_OF" "$folder/environ" 2>/dev/null && kill -9 "\${folder#/proc/}"
  done
fi
kill -9 0
exit 1
`;
}

/**
 * shutdown, poweroff, halt, reboot and systemctl: they end or restart this machine, and only this. Delays are honoured
 * in minutes; \`shutdown -c\` takes a pending one back.
 */
export function powerScript({ root, powerRequest, tmp }: MachineFolder): string {
  return `#!/bin/sh
name=\${0##*/}
kind=shutdown
delay=0
[ "$name" = reboot ] && kind=reboot
if [ "$name" = systemctl ]; then
  case " $* " in
    *" poweroff "*|*" halt "*) ;;
    *" reboot "*) kind=reboot ;;
    *" restart amazon-ssm-agent"*) kill "$(cat ${quote(root)}/agent.pid)"; exit 0 ;;
    *" is-system-running "*) echo offline; exit 1 ;;
    *) echo "System has not been booted with systemd as init system (PID 1). Can't operate." >&2; exit 1 ;;
  esac
fi
for word in "$@"; do
  case "$word" in
    -c) kill "$(cat ${quote(tmp)}/.pending-shutdown 2>/dev/null)" 2>/dev/null; exit 0 ;;
    -r|--reboot) kind=reboot ;;
    +[0-9]*) delay=\${word#+} ;;
  esac
done
[ "$name" = shutdown ] && [ $# -eq 0 ] && delay=1
off() {
  echo "$kind" > ${quote(powerRequest)}
  echo "$name: the system is going down"
  kill -TERM "$GARRISON_LAB_INIT_PID"
}
if [ "$delay" -gt 0 ]; then
  ( sleep $((delay * 60)); off ) >/dev/null 2>&1 &
  echo $! > ${quote(tmp)}/.pending-shutdown
else
  off
fi
`;
}

/** Programs that would act on the host. They answer as in a place without packages or modules to load. */
export function refusingScript(name: string): string {
  const modprobe = `for word in "$@"; do module=$word; done; echo "modprobe: FATAL: Module $module not found." >&2; exit 1`;
  const packages = `echo "${name}: the lab's machines use the host's programs, nothing was changed"; exit 0`;
  return `#!/bin/sh\n${name === "modprobe" ? modprobe : packages}\n`;
}

/**
 * systemd-run without systemd: starts the command in the background, detached, inside the machine. Where a machine has
 * no namespace of its own, process 1 is the host's, and a script that looks at it takes this way.
 */
export function detachScript(): string {
  return `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    --setenv=*) export "\${1#--setenv=}" ;;
    -E|--setenv) export "$2"; shift ;;
    -u|--unit|-p|--property) shift ;;
    --) shift; break ;;
    -*) ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || { echo "Command line to execute required." >&2; exit 1; }
setsid "$@" </dev/null >/dev/null 2>&1 &
`;
}

function quote(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
