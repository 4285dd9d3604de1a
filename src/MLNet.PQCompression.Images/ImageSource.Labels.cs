using System.Collections.Immutable;
using System.Globalization;

namespace MLNet.PQCompression.Images;

/// <content>Labels from lists, and how the classes of a source meet those of a model.</content>
public sealed partial class ImageSource
{
    /// <summary>
    /// The same images with labels from a CSV list (file, label), joined by name; else by the end of the path, or by the file name where there is only one of it.
    /// An image that the list lacks has the label -1. Labels are class indices (3, 3.0) or names; NaN and -1 among indices are no label.
    /// </summary>
    /// <exception cref="InvalidDataException">The list is broken, names none of the images, or it cannot be told which image a row means.</exception>
    public ImageSource WithLabels(string csvPath)
    {
        CsvTable table = CsvTable.Load(csvPath);
        CsvRow?[] rows = LabelJoin.Rows([.. Images.Select(i => i.Name)], table);
        int found = rows.Count(r => r?.Label is not null), joined = rows.OfType<CsvRow>().Distinct().Count();
        if (found == 0)
            throw new InvalidDataException($"'{csvPath}' has no label for any image of '{Path}', such as '{Images[0].Name}'; its rows are such as '{(table.Rows.Count > 0 ? table.Rows[0].File : "")}'.");
        (IReadOnlyList<string> classes, int[] labels, int missing) = ClassLabels.FromText(rows, ClassNames, csvPath);
        var notes = new List<string>();
        if (labels.Count(l => l < 0) is > 0 and var without)
            notes.Add($"{without} of {Count} images have no label in '{csvPath}'{(missing > 0 ? $", {missing} of them by a label such as NaN or -1" : "")}; they are not counted as right or wrong.");
        if (table.Rows.Count > joined)
            notes.Add($"{table.Rows.Count - joined} of {table.Rows.Count} rows of '{csvPath}' name no image of '{Path}'.");
        return new(this, [.. Images.Select((image, i) => image with { Label = labels[i] })], classes, [.. notes]);
    }

    /// <summary>The same images with the classes numbered as a model numbers them. Class names are found among the model's; names that are numbers, and labels
    /// without names, are class indices. Where a model names no classes, as many classes as it has outputs are taken in their order, and <see cref="Notes"/> says so.</summary>
    /// <param name="names">The model's classes by index; null where it names none. The source may lack some of them.</param>
    /// <param name="outputs">How many classes the model has; null where that is not known.</param>
    /// <exception cref="InvalidDataException">A class of the source is none of the model's, or it cannot be told which output it is.</exception>
    public ImageSource WithClassesOf(IReadOnlyList<string>? names, int? outputs = null)
    {
        outputs ??= names?.Count;
        if (!HasLabels)
            return this;
        var labels = Images.Select(i => i.Label).ToHashSet();
        string[] used = [.. ClassNames.Where((_, c) => labels.Contains(c))];
        if (ClassNames.Count == 0)
            return Checked(this, outputs);
        if (names is not null && used.All(names.Contains))
            return ByName(names);
        if (ClassLabels.AreNumbers(used))
        {
            int[] indices = [.. ClassNames.Select(c => int.TryParse(c, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : -1)];
            return Checked(new(this, Numbered(indices), names ?? [], "The classes' names are numbers and were taken as class indices."), outputs);
        }
        if (names is not null)
            throw new InvalidDataException($"The class '{used.First(c => !names.Contains(c))}' of '{Path}' is none of {ClassLabels.Some(names)}.");
        if (outputs is { } count && count != ClassNames.Count)
            throw new InvalidDataException($"'{Path}' has {ClassNames.Count} classes ({ClassLabels.Some(ClassNames)}), but the model has {count} and names none: which is which cannot be told. "
                + "Give the names of the model's classes in the order of its outputs (--classes FILE), or labels as class indices (--labels CSV).");
        return new(this, Images, ClassNames, $"The model names no classes: its outputs were taken to be {ClassLabels.Some(ClassNames)}, in this order.");
    }

    private ImageSource ByName(IReadOnlyList<string> names)
    {
        Dictionary<string, int> index = names.Select((name, i) => (name, i)).DistinctBy(p => p.name).ToDictionary(p => p.name, p => p.i, StringComparer.Ordinal);
        string[] strangers = [.. ClassNames.Where(c => !index.ContainsKey(c))];
        ImmutableArray<string> notes = strangers.Length == 0 ? [] : [$"The folders {ClassLabels.Some(strangers)} hold no image and are no class of the model."];
        return new(this, Numbered([.. ClassNames.Select(c => index.GetValueOrDefault(c, -1))]), names, [.. notes]);
    }

    private ImageEntry[] Numbered(int[] order) => [.. Images.Select(i => i.Label < 0 ? i : i with { Label = order[i.Label] })];

    private static ImageSource Checked(ImageSource source, int? outputs) => outputs is { } count && source.Images.FirstOrDefault(i => i.Label >= count) is { } beyond
        ? throw new InvalidDataException($"The image '{beyond.Name}' of '{source.Path}' has label {beyond.Label}, but the model has {count} classes (0 to {count - 1}).")
        : source;
}
