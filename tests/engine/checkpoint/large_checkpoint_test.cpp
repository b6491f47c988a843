// A checkpoint much larger than memory should allow opens at once and touches next to nothing of its file.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <fstream>

#include "engine/checkpoint/model.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

std::int64_t resident_bytes() {
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

// The shape of Qwen3-8B: 16.4 GB in bf16, as a file of holes behind a real header.
nlohmann::json write_sparse_checkpoint(const std::filesystem::path& folder) {
  // The builder names the tensors and shapes of a narrow twin; the real extents replace the narrow ones.
  const std::map<std::int64_t, std::int64_t> real = {{2, 4096}, {3, 12288}, {5, 151936},
                                                     {8, 4096}, {4, 1024},  {1, 128}};
  auto twin = support::make_checkpoint({.architecture = engine::Architecture::qwen3,
                                        .layers = 36,
                                        .hidden = 2,
                                        .intermediate = 3,
                                        .query_heads = 8,
                                        .kv_heads = 4,
                                        .head_dim = 1,
                                        .vocab = 5,
                                        .dtype = kernels::DType::bf16});
  nlohmann::json header;
  std::int64_t offset = 0;
  for (const auto& [name, tensor] : twin.tensors) {
    std::int64_t bytes = 2;
    nlohmann::json shape;
    for (const std::int64_t extent : tensor.shape) {
      shape.push_back(real.at(extent));
      bytes *= real.at(extent);
    }
    header[name] = {{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  twin.config.update({{"hidden_size", 4096},
                      {"intermediate_size", 12288},
                      {"num_attention_heads", 32},
                      {"num_key_value_heads", 8},
                      {"head_dim", 128},
                      {"vocab_size", 151936}});
  twin.tensors.clear();
  twin.write(folder);
  const std::string start = support::safetensors_bytes(header.dump(), "");
  support::write_file(folder / "model.safetensors", start);
  std::filesystem::resize_file(folder / "model.safetensors",
                               start.size() + static_cast<std::uint64_t>(offset));
  return twin.config;
}

}  // namespace

TEST_CASE("Checkpoint, 16 GB of weights open in under a second and stay on disk") {
  const support::TempFolder folder;
  write_sparse_checkpoint(folder.path());
  REQUIRE(std::filesystem::file_size(folder / "model.safetensors") > 16'000'000'000);

  const std::int64_t before = resident_bytes();
  const auto start = std::chrono::steady_clock::now();
  const auto model = engine::load_model(folder.path());
  const auto elapsed = std::chrono::steady_clock::now() - start;
  const std::int64_t after = resident_bytes();

  INFO((model ? "" : model.error().message));
  REQUIRE(model);
  CHECK((*model)->weight_bytes > 16'000'000'000);
  CHECK(elapsed < std::chrono::seconds(1));
  CHECK(after - before < 20'000'000);
}
