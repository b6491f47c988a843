// What is known of one timed operation, as lines of a tooltip.
#pragma once

#include "app/gui/widgets/ui.hpp"
#include "app/view/profile_facts.hpp"
#include "app/view/run_snapshot.hpp"

namespace app::gui {

// Inside of a tooltip. `charged`: the span, cut to what it is charged with (view/charged_times.hpp).
// `origin`: what times count from.
void draw_span_facts(Ui& ui, const view::RunSnapshot& run, const view::ProfileFacts& facts,
                     const engine::Span& span, const engine::Span& charged, std::int64_t origin);

}  // namespace app::gui
