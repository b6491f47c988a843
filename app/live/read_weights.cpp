#include "app/live/read_weights.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace app::live {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPortionBytes = std::size_t{8} << 20;  // between two reports

// One byte of every page is enough to have the page read.
void touch(const std::byte* data, std::size_t bytes) {
  unsigned sum = 0;
  for (std::size_t at = 0; at < bytes; at += kPageBytes) sum += static_cast<unsigned>(data[at]);
  static std::atomic<unsigned> sink;  // what is read must be used
  sink.store(sum, std::memory_order_relaxed);
}

}  // namespace

void read_weights(const engine::Model& model, const std::function<bool(double share)>& progress) {
  std::size_t total = 0, done = 0;
  for (const auto& file : model.files) {
    file->allow_read_ahead();
    for (const auto& [name, tensor] : file->header().tensors) total += tensor.bytes;
  }
  for (const auto& file : model.files) {
    for (const auto& [name, tensor] : file->header().tensors) {
      for (std::size_t at = 0; at < tensor.bytes; at += kPortionBytes) {
        const std::size_t portion = std::min(kPortionBytes, tensor.bytes - at);
        touch(tensor.data + at, portion);
        done += portion;
        if (!progress(static_cast<double>(done) / static_cast<double>(total))) return;
      }
    }
  }
}

}  // namespace app::live
