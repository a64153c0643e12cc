import Base
import Glibc

/// Where the local servers keep what is theirs.
///
/// One process at a time owns a place and runs its servers (`claim`); others may use them.
package struct LocalPlace: Sendable {
    /// What belongs to Hivegate itself: credentials, secrets, the servers' logs.
    package let root: String
    /// The servers' data.
    package let data: String
    /// The servers' unix sockets.
    package let sockets: String
    package let account: LocalAccount

    /// A unix socket's path has room for 107 bytes.
    private static let longestSocketDirectory = 80

    /// Everything lies under `root`, except where the servers' account could not reach it (root's home is closed
    /// to others) or where the path is too long for a socket.
    package init(root: String) throws(LocalServerError) {
        let root = Files.absolute(root)
        let account = try LocalAccount.current()
        let mark = String(hex: Digest.sha256(Array(root.utf8)).prefix(6))
        let isReachable = !account.isOther || Files.isOpenToAll(root)
        let base = isReachable ? root : "/var/lib/hivegate/\(mark)"
        let sockets = "\(base)/run"
        self.root = root
        self.account = account
        data = base
        self.sockets =
            sockets.utf8.count <= Self.longestSocketDirectory
            ? sockets : "/tmp/hivegate-\(account.user)-\(mark)"
        do throws(SystemError) {
            try Files.makeDirectories(root)
            try Files.makeDirectories(data)
        } catch {
            throw LocalServerError("cannot create a directory: \(error)")
        }
        try account.makeDirectory(self.sockets)
    }

    /// Makes this process the owner of the place until it ends, by whatever way. False while another process is.
    package func claim() throws(LocalServerError) -> Bool {
        let path = "\(root)/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LocalServerError("cannot open \(path): \(SystemError("open"))") }
        // The descriptor stays open: the kernel gives the lock back when the process has gone.
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        close(descriptor)
        return false
    }
}
