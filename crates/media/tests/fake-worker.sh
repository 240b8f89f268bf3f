#!/bin/sh
# A worker that misbehaves as the name of the requested source says, and answers `about` properly.
probed='{"event":"done","outcome":{"failure":{"kind":"not-a-video","message":"as asked","log":[]}}}'
while IFS= read -r line; do
  case "$line" in
    *'"about"'*)
      # The version is this shell's number and the arguments it was started with.
      printf '{"event":"done","outcome":{"reply":{"reply":"about","version":"%s %s","libraries":[],"encoders":[],"sandbox":[]}}}\n' "$$" "$*" ;;
    */segfault*) echo 'the last words' >&2; kill -SEGV $$ ;;
    */told/*)
      # libav talks, and then the job or the worker is gone, as the name says.
      for at in 1 2 3; do printf '{"event":"log","line":"[h264] error %s"}\n' "$at"; done
      case "$line" in
        */job*) echo '{"event":"done","outcome":{"failure":{"kind":"crashed","message":"as asked","log":[]}}}' ;;
        */worker*) echo 'the last words' >&2; kill -SEGV $$ ;;
        */stalls*) exec sleep 1000 ;;
        *) echo "$probed" ;;
      esac ;;
    */much-told*)
      for at in $(seq 200); do printf '{"event":"log","line":"[h264] error %s"}\n' "$at"; done
      echo "$probed" ;;
    */exit3*) exit 3 ;;
    */dies-over/*)
      # The source is a folder's file: each death leaves a line beside it. It lives the third time, if its name says so.
      deaths=$(printf '%s' "$line" | sed 's/.*"source":"\([^"]*\)".*/\1.deaths/')
      echo death >>"$deaths"
      case "$line" in */twice*) [ "$(wc -l <"$deaths")" -gt 2 ] && { echo "$probed"; continue; } ;; esac
      kill -SEGV $$ ;;
    */garbage*) echo 'hello there' ;;
    */endless*) exec tr '\0' 'x' </dev/zero ;;
    */half*) printf '{"event":'; exit 0 ;;
    */child*)
      # What it started outlives it, unless the whole group is killed.
      sleep 1000 & printf '{"event":"warning","message":"%s"}\n' "$!"
      wait ;;
    */stall*)
      echo '{"event":"progress","stage":"encoding","done_ms":1,"total_ms":null}'
      while :; do echo '{"event":"warning","message":"busy"}'; sleep 0.05; done ;;
    */for-ever*)
      while :; do echo '{"event":"progress","stage":"probing","done_ms":1,"total_ms":null}'; sleep 0.05; done ;;
    */deaf*) exec sleep 1000 ;;
    */wrong*) printf '{"event":"done","outcome":{"reply":{"reply":"covered","candidates":[],"rejected":[],"looked_at":0}}}\n' ;;
    */environment*) printf '{"event":"warning","message":"%s"}\n' "$(env | tr '\n' ' ')"; echo "$probed" ;;
    */slow*)
      for at in 1 2 3 4 5 6; do
        printf '{"event":"progress","stage":"probing","done_ms":%s,"total_ms":6}\n' $at; sleep 0.5
      done
      echo "$probed" ;;
    *) echo "$probed" ;;
  esac
done
