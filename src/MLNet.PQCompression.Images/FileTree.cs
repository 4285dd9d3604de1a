namespace MLNet.PQCompression.Images;

/// <summary>All files below a folder, each folder once: links are followed, behind the folders that lie there themselves, and one that leads back is not entered again.</summary>
internal sealed class FileTree
{
    /// <summary>Links in a path; a system gives up at about as many.</summary>
    private const int MostLinks = 40;

    private readonly HashSet<string> _entered = new(StringComparer.Ordinal);
    private readonly List<string> _files = [], _folders = [];
    private readonly List<(string Name, string Reason)> _leftOut = [];

    private FileTree()
    {
    }

    /// <summary>The files, as paths from the root with / between folders, in no particular order.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>The folders below the root, in the same form.</summary>
    public IReadOnlyList<string> Folders => _folders;

    /// <summary>The folders that were not read, and why.</summary>
    public IReadOnlyList<(string Name, string Reason)> LeftOut => _leftOut;

    /// <summary>Reads a folder. Hidden folders (.name) are passed over.</summary>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    /// <exception cref="IOException">The folder itself cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder itself cannot be read.</exception>
    public static FileTree Read(string root, CancellationToken cancellationToken)
    {
        var tree = new FileTree();
        var links = new Queue<(string Path, string Name)>();
        tree.Enter(root, "", links, cancellationToken);
        while (links.TryDequeue(out (string Path, string Name) link))
            tree.Enter(link.Path, link.Name, links, cancellationToken);
        return tree;
    }

    private void Enter(string path, string name, Queue<(string Path, string Name)> links, CancellationToken cancellationToken)
    {
        var open = new Stack<(string Path, string Name)>([(path, name)]);
        while (open.TryPop(out (string Path, string Name) folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (_entered.Add(RealPath(folder.Path)))
                    List(folder.Path, folder.Name, open, links, cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && folder.Name.Length > 0)
            {
                _leftOut.Add((folder.Name + "/", $"the folder cannot be read: {e.Message}"));
            }
        }
    }

    private void List(string path, string name, Stack<(string Path, string Name)> open, Queue<(string Path, string Name)> links, CancellationToken cancellationToken)
    {
        if (name.Length > 0)
            _folders.Add(name);
        foreach (FileSystemInfo entry in new DirectoryInfo(path).EnumerateFileSystemInfos("*", new EnumerationOptions { IgnoreInaccessible = false, AttributesToSkip = 0 }))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string entryName = name.Length == 0 ? entry.Name : $"{name}/{entry.Name}";
            if (entry is not DirectoryInfo)
                _files.Add(entryName);
            else if (entry.Name.StartsWith('.'))
                continue;
            else if (entry.LinkTarget is null)
                open.Push((entry.FullName, entryName));
            else
                links.Enqueue((entry.FullName, entryName));
        }
    }

    /// <summary>The path without links in it.</summary>
    /// <exception cref="IOException">A link leads in a circle.</exception>
    private static string RealPath(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), real = Path.GetPathRoot(full)!;
        var parts = new Stack<string>(Parts(full).Reverse());
        int followed = 0;
        while (parts.TryPop(out string? part))
        {
            var next = new DirectoryInfo(Path.Combine(real, part));
            if (next.LinkTarget is not { } target)
            {
                real = next.FullName;
                continue;
            }
            if (++followed > MostLinks)
                throw new IOException($"'{path}' has more than {MostLinks} links.");
            string leads = Path.GetFullPath(Path.Combine(real, target));
            real = Path.GetPathRoot(leads)!;
            foreach (string inner in Parts(leads).Reverse())
                parts.Push(inner);
        }
        return real;
    }

    private static string[] Parts(string full) => full[Path.GetPathRoot(full)!.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
}
