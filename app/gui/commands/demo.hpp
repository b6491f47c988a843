// dmscope demo: the sixty-second story, in the window or as picture files (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_demo(Arguments arguments, Console& console);

}  // namespace app
