// dmscope bench --ui: what the window costs (docs/command-line.md).
//
// On a synthetic trace of 36 layers, 8 KV heads and 32,768 tokens, drawn without OpenGL, so that times are
// the program's own and not the rasteriser's; and, with --model, how much decoding slows down while the
// window is open.
#pragma once

#include "app/arguments.hpp"

namespace app {

engine::Status run_ui_bench(Arguments arguments, Console& console);

}  // namespace app
