// A token's text as it can be shown: control characters, and those that change the direction of text or have
// no width, become visible escapes, so that nothing in a prompt can rearrange a panel.
#pragma once

#include <string>
#include <string_view>

namespace app::view {

// Line breaks as well: "\n". Valid UTF-8 in, valid UTF-8 out; invalid bytes become \xNN.
std::string printable(std::string_view text);
// Whether printable() would change it: seldom, and quick to tell.
bool is_printable(std::string_view text);

}  // namespace app::view
