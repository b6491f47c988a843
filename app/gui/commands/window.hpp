// dmscope without a command, and `replay`: the window on the desktop (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_window(Arguments arguments, Console& console);
engine::Status run_replay(Arguments arguments, Console& console);

}  // namespace app
