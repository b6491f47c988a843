// dmscope eval: quality against compression (docs/evaluation.md).
//
// Stands with the window's commands because --plot draws with the window's own plots and fonts.
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_eval(Arguments arguments, Console& console);

}  // namespace app
