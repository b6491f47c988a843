// The end of a trace as a small eviction map with a few facts, for the first-start card.
//
// The trace is read on a thread of its own. GUI thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "app/gui/theme/theme.hpp"
#include "app/gui/widgets/texture.hpp"
#include "app/live/trace_source.hpp"
#include "app/view/cache_view.hpp"
#include "app/view/map_image.hpp"
#include "app/view/run_model.hpp"

namespace app::gui {

struct SampleFacts {
  std::string model;
  std::int32_t layers = 0;
  std::int32_t kv_heads = 0;
  std::int32_t tokens = 0;
  std::int32_t decoded = 0;
  std::int32_t window = 0;
  double ratio = 1;
  std::int64_t bytes = 0;  // of the file
};

class SamplePreview {
 public:
  SamplePreview(std::filesystem::path trace, std::function<void()> wake);

  // Call once per frame until settled().
  void update();
  bool settled() const { return failed_ || ready_; }  // nothing more will come
  bool ready() const { return ready_; }
  const SampleFacts& facts() const { return facts_; }
  // All heads down, the tokens over `width` pixels.
  void paint(const Theme& theme, int width, Texture& texture);

 private:
  std::filesystem::path trace_;
  std::shared_ptr<view::RunModel> model_ = std::make_shared<view::RunModel>();
  live::TraceSource source_;
  view::CacheView cache_;
  view::MapImage image_;
  SampleFacts facts_;
  bool ready_ = false;
  bool failed_ = false;
};

}  // namespace app::gui
