// dmscope score: a teacher-forced pass over given ids, into npy files (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_score(Arguments arguments, Console& console);

}  // namespace app
