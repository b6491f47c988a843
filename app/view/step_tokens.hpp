// Which tokens of a sequence went through the model in a step, or in a span of time: what ties a kernel or a
// range of the timeline to the text.
#pragma once

#include "app/view/run_snapshot.hpp"
#include "app/view/selection.hpp"
#include "app/view/token_axis.hpp"

namespace app::view {

// Empty for a step that is not known, or that processed nothing of this sequence.
TokenRange tokens_of_step(const SequenceView& sequence, engine::Step step);

// Of all steps that overlap with the times.
TokenRange tokens_of_times(const RunSnapshot& run, const SequenceView& sequence, TimeRange times);

}  // namespace app::view
