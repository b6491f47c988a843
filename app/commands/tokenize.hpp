// dmscope tokenize: standard input as token ids, or ids as text (docs/command-line.md).
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_tokenize(Arguments arguments, Console& console);

}  // namespace app
