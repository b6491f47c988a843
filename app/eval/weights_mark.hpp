// A short mark that tells one checkpoint's weights from another's, without reading all of them.
#pragma once

#include <string>

#include "engine/checkpoint/model.hpp"

namespace app::eval {

// 16 hexadecimal digits: every tensor of the model is looked at in a few hundred places.
std::string weights_mark(const engine::Model& model);

}  // namespace app::eval
