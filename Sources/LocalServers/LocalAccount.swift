import Base
import Glibc

/// The account that the servers run as. PostgreSQL refuses to run as root, so root starts it as `postgres`,
/// the account that Debian's package creates; anybody else starts it as themselves.
package struct LocalAccount: Sendable, Equatable {
    package let user: UInt32
    package let group: UInt32
    /// Whether the account is another than this process's own.
    package let isOther: Bool

    package static func current() throws(LocalServerError) -> LocalAccount {
        guard geteuid() == 0 else { return LocalAccount(user: geteuid(), group: getegid(), isOther: false) }
        guard let entry = getpwnam("postgres") else {
            throw LocalServerError(
                "PostgreSQL does not run as root, and the account \"postgres\" is missing: install the package postgresql"
            )
        }
        return LocalAccount(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid, isOther: true)
    }

    /// `arguments` as a command that ends when this process ends, by whatever way, under this account.
    package func command(_ arguments: [String], parentDeathSignal: String) -> [String] {
        var command = ["setpriv", "--pdeathsig=\(parentDeathSignal)"]
        if isOther { command += ["--reuid=\(user)", "--regid=\(group)", "--clear-groups"] }
        return command + arguments
    }

    /// A directory that only this account can use.
    package func makeDirectory(_ path: String) throws(LocalServerError) {
        do throws(SystemError) {
            try Files.makeDirectories(path)
        } catch {
            throw LocalServerError("cannot create a directory: \(error)")
        }
        guard chmod(path, 0o700) == 0, !isOther || chown(path, user, group) == 0 else {
            throw LocalServerError("cannot give \(path) to the servers' account: \(SystemError("chown"))")
        }
    }
}
