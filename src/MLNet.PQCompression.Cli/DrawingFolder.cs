using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Drawing;

namespace MLNet.PQCompression.Cli;

/// <summary>Where images go that something was drawn on, each under its own name.</summary>
internal sealed class DrawingFolder
{
    private static readonly string[] JpegExtensions = [".jpg", ".jpeg"];

    private readonly string _folder;
    private readonly string[] _targets;
    private readonly bool _overwrite;

    /// <summary>Fails early where a file could not be written in the end.</summary>
    /// <exception cref="IOException">The folder cannot be made or written to, a file exists, or two images would have one name.</exception>
    public DrawingFolder(string folder, ImageSource images, bool overwrite)
    {
        AtomicFile.CheckFolder(folder);
        (_folder, _overwrite) = (folder, overwrite);
        _targets = [.. Relative(images.Images).Select(n => Path.ChangeExtension(n, IsJpeg(n) ? ".jpg" : ".png"))];
        if (_targets.GroupBy(t => t, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new IOException($"--draw: {same.Count()} images would be written as '{Path.Combine(folder, same.Key)}'; draw them one folder at a time.");
        if (!overwrite && _targets.FirstOrDefault(t => File.Exists(Path.Combine(folder, t))) is { } existing)
            throw new IOException($"'{Path.Combine(folder, existing)}' exists already; --overwrite replaces it.");
    }

    /// <summary>Whether an image is drawn as JPEG.</summary>
    public static bool IsJpeg(string name) => JpegExtensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    /// <summary>Writes an image, and what its numbers mean beside it where it has no names.</summary>
    /// <returns>The path.</returns>
    public string Write(int index, DrawnPicture picture)
    {
        string path = Path.Combine(_folder, _targets[index]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, _overwrite, stream => stream.Write(picture.File));
        if (picture.Legend.Count > 0)
            AtomicFile.Write(Path.ChangeExtension(path, ".txt"), overwrite: true, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', picture.Legend) + '\n')));
        return path;
    }

    /// <summary>The names below the folder that all images share, so that nothing is written outside of the one that is asked for, whatever names an archive or a command line has.</summary>
    private static IEnumerable<string> Relative(IReadOnlyList<ImageEntry> images)
    {
        string[] full = [.. images.Select(i => Path.GetFullPath(i.Name))];
        string shared = Path.GetDirectoryName(full[0]) ?? "";
        while (shared.Length > 0 && !full.All(f => f.StartsWith(Path.TrimEndingDirectorySeparator(shared) + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
            shared = Path.GetDirectoryName(shared) ?? "";
        return full.Select(f => shared.Length > 0 ? Path.GetRelativePath(shared, f) : Path.GetFileName(f));
    }
}
