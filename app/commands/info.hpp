// dmscope info: this program and machine, a checkpoint, a trace (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_info(Arguments arguments, Console& console);

}  // namespace app
