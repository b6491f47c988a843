// Accuracy and perplexity against the compression ratio, as a picture: one plot per task and context, one
// line per policy and window, the dense run as a level.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/eval/summary.hpp"
#include "engine/events/result.hpp"

namespace app::gui {

// Whether a picture can be drawn on this machine and written there.
engine::Status check_plot(const std::filesystem::path& path);

engine::Status draw_evaluation(const std::vector<eval::SummaryRow>& rows, const std::string& model,
                               const std::filesystem::path& path);

}  // namespace app::gui
