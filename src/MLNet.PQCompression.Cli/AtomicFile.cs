namespace MLNet.PQCompression.Cli;

/// <summary>Writes a file so that it is there whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>Fails early, before the work that makes the content, where the file could not be written in the end.</summary>
    /// <exception cref="IOException">The file exists and may not be replaced, its folder does not exist, or no file can be made there.</exception>
    public static void CheckTarget(string path, bool overwrite)
    {
        if (Path.EndsInDirectorySeparator(path))
            throw new IOException($"'{path}' is a folder; name a file.");
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            throw new IOException($"'{path}' is a folder; name a file.");
        if (File.Exists(full) && !overwrite)
            throw new IOException($"'{path}' exists already; --overwrite replaces it.");
        if (Path.GetDirectoryName(full) is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder '{folder}' of the output does not exist.");
        CheckFolder(path, Path.GetDirectoryName(full)!);
    }

    /// <summary>Makes the folder of a checkpoint, and fails early where nothing could be written in it.</summary>
    /// <exception cref="IOException">The folder cannot be made, or no file in it.</exception>
    public static void CheckFolder(string? folder)
    {
        if (folder is null)
            return;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The folder '{folder}' cannot be made: {e.Message}", e);
        }
        CheckFolder(folder, Path.GetFullPath(folder));
    }

    /// <summary>Makes a file and takes it away again: permissions, a read-only disk and names too long show in no other way.</summary>
    private static void CheckFolder(string path, string folder)
    {
        string probe = Temporary(Path.Combine(folder, Path.GetFileName(path)));
        try
        {
            File.Create(probe).Dispose();
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"'{path}' cannot be written: {e.Message}", e);
        }
    }

    private static string Temporary(string full) => Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");

    /// <summary>Writes to a new file beside <paramref name="path"/>, then gives it the name.</summary>
    public static void Write(string path, bool overwrite, Action<Stream> write)
    {
        CheckTarget(path, overwrite);
        string full = Path.GetFullPath(path);
        string temporary = Temporary(full);
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
