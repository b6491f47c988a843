// What is known of one token in one head, next to the pointer: state, logit, dates, who else holds it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/gui/theme/theme.hpp"
#include "app/gui/widgets/ui.hpp"
#include "app/view/cache_view.hpp"
#include "app/view/token_axis.hpp"

namespace app::gui {

Role role_of(view::TokenState state);

// "·mouse" for a text with its spaces and line ends shown; never longer than a few words.
std::string shown_text(const view::SequenceView& sequence, std::int32_t token);
// "·mouse #1,368"
std::string token_flag(const view::SequenceView& sequence, std::int32_t token);

// `pixel` is what the pointed pixel covers; one token and one head: nothing is said of it.
void token_tooltip(Ui& ui, const view::CacheView& cache, std::int32_t s, std::int32_t head,
                   std::int32_t token, view::TokenRange pixel, std::int32_t pixel_heads = 1);

}  // namespace app::gui
