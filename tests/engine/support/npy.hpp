// Reads the npy files of the fixtures: version 1.0, C order, little-endian float32 or int32.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

template <typename T>
std::vector<T> read_npy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string type = sizeof(T) == 4 && std::is_floating_point_v<T> ? "<f4" : "<i4";
  if (bytes.size() < 10 || bytes.compare(1, 5, "NUMPY") != 0)
    throw std::runtime_error("not npy: " + path.string());
  const std::size_t header =
      static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  if (bytes.find(type) > 10 + header) throw std::runtime_error("not " + type + ": " + path.string());
  const std::size_t data = 10 + header;
  std::vector<T> values((bytes.size() - data) / sizeof(T));
  std::memcpy(values.data(), bytes.data() + data, values.size() * sizeof(T));
  return values;
}

}  // namespace test
