#include "engine/backend/cuda_upload.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "kernels/cuda/memory_rate.hpp"
#include "kernels/cuda/runtime.hpp"

namespace engine {

namespace {

using kernels::DType;
using kernels::cuda::Event;
using kernels::cuda::PinnedBuffer;
using kernels::cuda::Stream;

constexpr std::int64_t kStagingBytes = std::int64_t{16} << 20;
constexpr float kRandomDeviation = 0.02f;  // how transformers initialise their weights

float element(const void* data, DType dtype, std::int64_t index) {
  std::uint32_t bits = 0;
  const auto size = kernels::size_of(dtype);
  std::memcpy(&bits, static_cast<const std::byte*>(data) + static_cast<std::size_t>(index) * size, size);
  if (dtype == DType::f32) return std::bit_cast<float>(bits);
  const auto half = static_cast<std::uint16_t>(bits);
  return dtype == DType::bf16 ? kernels::bf16_to_float(half) : kernels::half_to_float(half);
}

void stage_row(const Upload& upload, std::int64_t row, std::byte* out) {
  const std::size_t size = kernels::size_of(upload.to);
  const auto cols = static_cast<std::size_t>(upload.cols);
  if (upload.from == upload.to) {
    std::memcpy(out, static_cast<const std::byte*>(upload.data) + static_cast<std::size_t>(row) * cols * size,
                cols * size);
  } else {
    for (std::int64_t i = 0; i < upload.cols; ++i) {
      const std::uint16_t bits =
          kernels::float_to_bf16(element(upload.data, upload.from, row * upload.cols + i));
      std::memcpy(out + 2 * i, &bits, 2);
    }
  }
  std::memset(out + cols * size, 0, (static_cast<std::size_t>(upload.row_stride) - cols) * size);
}

class Uploader {
 public:
  explicit Uploader(std::int64_t staging_bytes) {
    for (Stage& stage : stages_) stage.memory = PinnedBuffer(static_cast<std::size_t>(staging_bytes));
    staging_bytes_ = staging_bytes;
  }
  ~Uploader() {
    try {
      stream_.synchronize();                     // nothing may travel from buffers that are gone
    } catch (const kernels::cuda::CudaError&) {  // then nothing travels any more
    }
  }
  Uploader(const Uploader&) = delete;
  Uploader& operator=(const Uploader&) = delete;

  // Rows of `upload` from `first` on, as many as fit; returns how many.
  std::int64_t send(const Upload& upload, std::int64_t first) {
    const std::int64_t row_bytes = upload.bytes() / upload.rows;
    const std::int64_t rows = std::min(upload.rows - first, staging_bytes_ / row_bytes);
    std::swap(stages_[0], stages_[1]);
    Stage& stage = stages_[0];
    if (stage.in_use) stage.left.synchronize();
    for (std::int64_t row = 0; row < rows; ++row) {
      stage_row(upload, first + row, stage.memory.data() + row * row_bytes);
    }
    kernels::cuda::copy_async(upload.place + first * row_bytes, stage.memory.data(),
                              static_cast<std::size_t>(rows * row_bytes), stream_.get());
    stage.left.record(stream_);
    stage.in_use = true;
    return rows;
  }

  void fill_random(const Upload& upload, std::uint64_t seed) {
    kernels::cuda::launch_fill_random(upload.place, upload.to, upload.rows * upload.row_stride,
                                      kRandomDeviation, seed, stream_.get());
  }

  void finish() { stream_.synchronize(); }

 private:
  struct Stage {
    PinnedBuffer memory;
    Event left;  // the last copy from it is done
    bool in_use = false;
  };
  Stream stream_;
  std::array<Stage, 2> stages_;
  std::int64_t staging_bytes_ = 0;
};

}  // namespace

Status upload_all(const std::vector<Upload>& uploads, const UploadProgress& progress) {
  std::int64_t total = 0;
  std::int64_t longest_row = 1;
  for (const Upload& upload : uploads) {
    total += upload.bytes();
    longest_row = std::max(longest_row, upload.bytes() / upload.rows);
  }
  Uploader uploader(std::max(longest_row, std::min(kStagingBytes, total)));
  std::int64_t done = 0;
  const auto report = [&](std::int64_t bytes) {
    done += bytes;
    return !progress || progress(done, total);
  };
  const Error given_up{ErrorCode::interrupted, "interrupted while copying weights to the GPU"};
  for (const Upload& upload : uploads) {
    if (upload.data == nullptr) {
      uploader.fill_random(upload, static_cast<std::uint64_t>(done) + 1);
      if (!report(upload.bytes())) return given_up;
      continue;
    }
    for (std::int64_t row = 0; row < upload.rows;) {
      const std::int64_t rows = uploader.send(upload, row);
      row += rows;
      if (!report(upload.bytes() / upload.rows * rows)) return given_up;
    }
  }
  uploader.finish();
  return {};
}

}  // namespace engine
