// dmscope shot: what the window would show, as a PNG, without a display (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_shot(Arguments arguments, Console& console);

}  // namespace app
