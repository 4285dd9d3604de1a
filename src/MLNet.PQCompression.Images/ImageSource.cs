using System.IO.Hashing;
using System.Text;
using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Images;

/// <summary>An image of a source.</summary>
/// <param name="Name">Its name in the source, with / between folders.</param>
/// <param name="Label">Its class index, or -1 where that is not known.</param>
public sealed record ImageEntry(string Name, int Label);

/// <summary>Named, lazily read images from a folder, a zip archive, a CSV list or single files, always in the same order (ordinal by name, a list's in its own).</summary>
/// <remarks>Safe for several threads. A source made from another (<see cref="Take"/>, <see cref="Sample"/>, <see cref="Shard"/>, <see cref="WithLabels"/>, <see cref="WithClassesOf"/>) shares its files: disposing one closes both.</remarks>
public sealed partial class ImageSource : IDisposable
{
    /// <summary>Files of a list that are looked for to find where they lie; some may be missing.</summary>
    private const int FilesLookedFor = 100;

    private readonly IImageContainer _container;
    private readonly string[] _files;

    private ImageSource(string path, IImageContainer container, string[] files, IReadOnlyList<ImageEntry> images, IReadOnlyList<string> classNames)
    {
        Path = path;
        _container = container;
        _files = files;
        Images = images;
        ClassNames = classNames;
    }

    private ImageSource(ImageSource source, IReadOnlyList<ImageEntry> images, IReadOnlyList<string> classNames, params ReadOnlySpan<string> notes)
        : this(source.Path, source._container, source._files, images, classNames)
    {
        LeftOut = source.LeftOut;
        Notes = [.. source.Notes, .. notes];
    }

    /// <summary>What was opened.</summary>
    public string Path { get; }

    /// <summary>The images in their order.</summary>
    public IReadOnlyList<ImageEntry> Images { get; }

    /// <summary>The number of images.</summary>
    public int Count => Images.Count;

    /// <summary>The classes by index, where they have names; else empty.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>What looks like an image, or might hold some, and is not read: formats that are not read, folders that cannot be entered.</summary>
    public IReadOnlyList<SkippedImage> LeftOut { get; private init; } = [];

    /// <summary>What was taken for granted about labels and classes, a sentence each, for a person to read.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Whether the class of at least one image is known.</summary>
    public bool HasLabels => Images.Any(i => i.Label >= 0);

    /// <summary>Opens images.</summary>
    /// <param name="path">
    /// A folder or a .zip file, read with all folders inside: where every image lies in one of at least two folders, these name the classes, numbered in ordinal order,
    /// or by value where all are numbers. A folder without images counts, so that its class keeps its number.
    /// A .csv file with a file and optionally a label (an index or a class name) in each row, found beside it, or in a folder or archive beside it. Else one image file.
    /// </param>
    /// <param name="cancellationToken">Ends the reading of a large folder.</param>
    /// <exception cref="FileNotFoundException">There is nothing at the path.</exception>
    /// <exception cref="InvalidDataException">There is no image, or the archive or list is broken.</exception>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    public static ImageSource Open(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            return OpenContainer(path, new FolderContainer(path), cancellationToken);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file or folder '{path}' to read images from.", path);
        return System.IO.Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".zip" => OpenContainer(path, new ZipContainer(path), cancellationToken),
            ".csv" => OpenList(path),
            _ => OpenFiles([path]),
        };
    }

    /// <summary>Opens single image files, in the given order.</summary>
    /// <exception cref="FileNotFoundException">A file does not exist.</exception>
    public static ImageSource OpenFiles(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        foreach (string path in paths)
            if (!File.Exists(path))
                throw new FileNotFoundException($"There is no image file '{path}'.", path);
        string[] files = [.. paths.Select(System.IO.Path.GetFullPath)];
        return new(string.Join(", ", paths), new FolderContainer(""), files, [.. paths.Select(p => new ImageEntry(p, -1))], []);
    }

    /// <summary>The encoded bytes of an image.</summary>
    /// <exception cref="InvalidImageException">It cannot be read.</exception>
    public byte[] Read(int index) => _container.Read(_files[index]);

    /// <summary>Reads and decodes an image.</summary>
    /// <exception cref="InvalidImageException">It cannot be read or decoded; the message names it.</exception>
    public RgbImage Decode(int index, ImageDecoderOptions? options = null)
    {
        try
        {
            return ImageDecoder.Decode(Read(index), options);
        }
        catch (InvalidImageException e)
        {
            throw Named(index, e);
        }
    }

    /// <summary>The same exception with the image's name in its message.</summary>
    internal InvalidImageException Named(int index, InvalidImageException e) => new(e.Fault, $"'{Images[index].Name}' of '{Path}': {e.Message}", e);

    /// <summary>The first <paramref name="count"/> images, or all where there are fewer.</summary>
    public ImageSource Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return count >= Count ? this : Select([.. Enumerable.Range(0, count)]);
    }

    /// <summary>The images after the first <paramref name="count"/>, of which there must be some. What is left out of the source, and its notes, stay with the first ones.</summary>
    public ImageSource Skip(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(count, Count);
        return count == 0 ? this : Select([.. Enumerable.Range(count, Count - count)], isRest: true);
    }

    /// <summary>Images drawn at random without repetition, in random order; all of them, shuffled, where <paramref name="count"/> is not less than there are.</summary>
    public ImageSource Sample(int count, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        int[] order = [.. Enumerable.Range(0, Count)];
        var random = new Random(seed);
        count = Math.Min(count, Count);
        for (int i = 0; i < count; i++)
        {
            int j = random.Next(i, order.Length);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return Select(order[..count]);
    }

    /// <summary>
    /// One of several parts that hold every image once, and about equally many. An image's part depends on its name alone, so machines that see the same names agree. What is left out of the source, and
    /// its notes, stay with the first part.
    /// </summary>
    /// <param name="index">The part, from 0.</param>
    /// <param name="count">How many parts there are.</param>
    /// <returns>The part, which may be empty, and the place of each of its images in this source.</returns>
    public (ImageSource Images, IReadOnlyList<int> Places) Shard(int index, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
        int[] places = [.. Enumerable.Range(0, Count).Where(i => (int)Math.BigMul(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(Images[i].Name)), (ulong)count, out _) == index)];
        return (Select(places, isRest: index > 0), places);
    }

    /// <summary>Closes the archive.</summary>
    public void Dispose() => _container.Dispose();

    /// <summary>The images of some indices, in the order of these.</summary>
    internal ImageSource Select(int[] indices, bool isRest = false) =>
        new(Path, _container, [.. indices.Select(i => _files[i])], [.. indices.Select(i => Images[i])], ClassNames) { LeftOut = isRest ? [] : LeftOut, Notes = isRest ? [] : Notes };

    private static ImageSource OpenContainer(string path, IImageContainer container, CancellationToken cancellationToken)
    {
        try
        {
            ContainerListing found = container.List(cancellationToken);
            string[] names = [.. found.Images.Order(StringComparer.Ordinal)];
            if (names.Length == 0)
                throw new InvalidDataException($"'{path}' holds no image; files with the extensions {string.Join(' ', ImageDecoder.FileExtensions)} are read."
                    + (found.LeftOut.Count > 0 ? $" {found.LeftOut.Count} were left out: '{found.LeftOut[0].Name}', {found.LeftOut[0].Reason}" : ""));
            (IReadOnlyList<string> classes, int[] labels) = ClassLabels.FromFolders(names, found.Folders);
            var used = labels.ToHashSet();
            string[] empty = [.. classes.Where((_, c) => !used.Contains(c))];
            return new(path, container, names, [.. names.Select((name, i) => new ImageEntry(name, labels[i]))], classes)
            {
                LeftOut = found.LeftOut,
                Notes = empty.Length == 0 ? [] : [$"No image that is read lies in the class folders {ClassLabels.Some(empty)}; the classes keep their numbers."],
            };
        }
        catch (Exception e)
        {
            container.Dispose();
            if (e is UnauthorizedAccessException)
                throw new InvalidDataException($"'{path}' cannot be read: {e.Message}", e);
            throw;
        }
    }

    private static ImageSource OpenList(string path)
    {
        CsvTable table = CsvTable.Load(path);
        if (table.Rows.Count == 0)
            throw new InvalidDataException($"'{path}' lists no image.");
        IImageContainer container = FindContainer(table);
        (IReadOnlyList<string> classes, int[] labels, int missing) = ClassLabels.FromText(table.Rows, [], path);
        return new(path, container, [.. table.Rows.Select(r => r.File)], [.. table.Rows.Select((row, i) => new ImageEntry(row.File, labels[i]))], classes)
        {
            Notes = missing == 0 ? [] : [$"{missing} of {table.Rows.Count} rows of '{path}' have a label such as NaN or -1, which is none."],
        };
    }

    /// <summary>Where a list's files are: the list's folder, a folder in it, or an archive in it, whichever has one of the first files.</summary>
    private static IImageContainer FindContainer(CsvTable table)
    {
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(table.Path))!;
        string[] files = [.. table.Rows.Take(FilesLookedFor).Select(r => r.File)];
        foreach (string candidate in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).Prepend(folder))
            if (new FolderContainer(candidate) is var inFolder && files.Any(inFolder.Contains))
                return inFolder;
        foreach (string archive in Directory.EnumerateFiles(folder, "*.zip").Order(StringComparer.Ordinal))
            try
            {
                var inArchive = new ZipContainer(archive);
                if (files.Any(inArchive.Contains))
                    return inArchive;
                inArchive.Dispose();
            }
            catch (InvalidDataException)
            {
                // another archive that lies there
            }
        throw new InvalidDataException($"'{table.Path}': its first file '{files[0]}' is neither in '{folder}' nor in a folder or archive there.");
    }
}
