// The font files inside the program.
#pragma once

#include <cstddef>
#include <span>

namespace app::gui::embedded {

std::span<const std::byte> inter_regular();
std::span<const std::byte> inter_semibold();
std::span<const std::byte> inter_bold();
std::span<const std::byte> mono_regular();
std::span<const std::byte> mono_semibold();
std::span<const std::byte> icons();

}  // namespace app::gui::embedded
