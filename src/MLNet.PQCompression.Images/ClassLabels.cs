using System.Globalization;

namespace MLNet.PQCompression.Images;

/// <summary>Finds the class of images: from folders that are named after classes, or from labels as they are written in a table.</summary>
internal static class ClassLabels
{
    /// <summary>The classes and the label of each name, where every image lies in a folder and there are at least two such folders below the
    /// folders that all share; else no classes and labels of -1.</summary>
    public static (IReadOnlyList<string> Classes, int[] Labels) FromFolders(IReadOnlyList<string> names)
    {
        int prefix = CommonFolderLength(names);
        string[] folders = [.. names.Select(n => n.IndexOf('/', prefix) is >= 0 and var end ? n[prefix..end] : "")];
        string[] classes = [.. folders.Distinct().Order(StringComparer.Ordinal)];
        return classes.Length >= 2 && classes[0].Length > 0 ? (classes, Number(folders, classes)) : ([], [.. names.Select(_ => -1)]);
    }

    /// <summary>Labels as written: class indices where all are whole numbers, else class names, numbered in ordinal order or as <paramref name="known"/> says.</summary>
    /// <exception cref="InvalidDataException">A name is not among the known ones, or an index is negative.</exception>
    public static (IReadOnlyList<string> Classes, int[] Labels) FromText(IReadOnlyList<string?> written, IReadOnlyList<string> known, string path)
    {
        string[] given = [.. written.OfType<string>()];
        if (given.All(t => int.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            return (known, [.. written.Select(t => t is null ? -1 : int.Parse(t, CultureInfo.InvariantCulture))]);
        string[] classes = known.Count > 0 ? [.. known] : [.. given.Distinct().Order(StringComparer.Ordinal)];
        if (given.FirstOrDefault(t => !classes.Contains(t)) is { } stranger)
            throw new InvalidDataException($"'{path}': the class '{stranger}' is none of {string.Join(", ", classes.Take(20))}.");
        return (classes, Number(written, classes));
    }

    private static int[] Number(IReadOnlyList<string?> names, string[] classes)
    {
        Dictionary<string, int> index = classes.Select((name, i) => (name, i)).ToDictionary(p => p.name, p => p.i, StringComparer.Ordinal);
        return [.. names.Select(n => n is null ? -1 : index[n])];
    }

    /// <summary>The length, with its last /, of the folders that all names begin with.</summary>
    private static int CommonFolderLength(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return 0;
        ReadOnlySpan<char> common = names[0].AsSpan(0, names[0].LastIndexOf('/') + 1);
        foreach (string name in names)
        {
            int same = common.CommonPrefixLength(name);
            common = common[..(common[..same].LastIndexOf('/') + 1)];
        }
        return common.Length;
    }
}
