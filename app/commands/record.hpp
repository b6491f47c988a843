// dmscope record: a headless run of one prompt into a trace (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_record(Arguments arguments, Console& console);

}  // namespace app
