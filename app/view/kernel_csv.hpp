// The kernel table as text for other programs.
#pragma once

#include <string>

#include "app/view/kernel_table.hpp"

namespace app::view {

// RFC 4180 with a header; times in nanoseconds, one column per layer at the end.
std::string kernel_table_csv(const KernelTable& table);

}  // namespace app::view
