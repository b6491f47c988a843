#include "app/gui/workbench/sample_preview.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "app/gui/theme/style.hpp"
#include "app/view/row_layout.hpp"
#include "app/view/run_curves.hpp"
#include "app/view/token_axis.hpp"

namespace app::gui {

SamplePreview::SamplePreview(std::filesystem::path trace, std::function<void()> wake)
    : trace_(std::move(trace)), source_(trace_, model_, std::move(wake)) {}

void SamplePreview::update() {
  if (settled()) return;
  const auto status = source_.status();
  if (status->state <= live::TraceState::replaying) return;
  const auto run = model_->snapshot();
  failed_ = !run->started() || run->sequences().empty() || run->sequences().front().processed() == 0;
  if (failed_) return;
  cache_.update(run, run->sequences().front().id());
  const view::SequenceView& sequence = cache_.sequence();
  facts_.model = run->run().model_name;
  facts_.layers = run->layers();
  facts_.kv_heads = run->kv_heads();
  facts_.tokens = sequence.processed();
  facts_.window = cache_.window();
  facts_.ratio = cache_.size(facts_.tokens - 1).logical_ratio();
  facts_.decoded = sequence.tokens() - view::prompt_positions(sequence);
  std::error_code error;
  const auto bytes = std::filesystem::file_size(trace_, error);
  facts_.bytes = error ? 0 : static_cast<std::int64_t>(bytes);
  ready_ = true;
}

void SamplePreview::paint(const Theme& theme, int width, Texture& texture) {
  const auto color = [&](Role role) { return to_u32(theme[role]); };
  const view::MapColors colors{color(Role::unborn), color(Role::window), color(Role::doomed),
                               color(Role::kept), color(Role::evicted)};
  view::RowLayoutOptions rows;
  rows.layers = facts_.layers;
  rows.kv_heads = facts_.kv_heads;
  rows.height = facts_.layers * facts_.kv_heads;
  rows.separator = 0;
  rows.max_row_height = 1;
  const std::int32_t last = facts_.tokens - 1;
  view::draw_map(cache_.marks(last), view::layout_rows(rows).rows, {{0, facts_.tokens}, width}, last, colors,
                 image_);
  texture.resize(image_.width, image_.height);
  const std::size_t count = std::min(image_.pixels.size(), texture.pixels().size());
  std::copy_n(image_.pixels.begin(), count, texture.pixels().begin());
  texture.changed();
}

}  // namespace app::gui
