import Base
import Glibc

/// How many descriptors the process may open. A connection takes one, and one more while its request waits on a
/// provider; what shells give by default (1,024) would be used up by a few hundred clients.
enum DescriptorLimit {
    /// Raises the limit to the most that is allowed, and says so where even that is too little for
    /// `connectionCount`.
    static func raise(for connectionCount: Int, _ logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return logger.warning(
                "the limit of open files is not known", ("reason", "\(SystemError("getrlimit"))"))
        }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        if before < limit.rlim_max, setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
            limit.rlim_cur = before
            logger.warning(
                "the limit of open files cannot be raised", ("reason", "\(SystemError("setrlimit"))"))
        }
        if limit.rlim_cur < UInt(connectionCount) {
            logger.warning(
                "the limit of open files is lower than HIVEGATE_MAX_CONNECTIONS needs",
                ("limit", .integer(Int(limit.rlim_cur))), ("needed", .integer(connectionCount)))
        } else {
            logger.debug("open files", ("limit", .integer(Int(clamping: limit.rlim_cur))))
        }
    }
}
