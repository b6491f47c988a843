// Which file a name stands for, to notice that it was deleted or replaced.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace app::live {

struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

// Absent: there is no such file. Does not open it.
std::optional<FileIdentity> identity_of(const std::filesystem::path& path);

// Whether another process holds a lock on the file, as far as the system tells. Does not open it: closing a
// descriptor would drop this process's own locks.
bool locked_by_another_process(const FileIdentity& file);

}  // namespace app::live
