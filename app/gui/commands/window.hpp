// dmscope without a command: the window on the desktop (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_window(Arguments arguments, Console& console);

}  // namespace app
