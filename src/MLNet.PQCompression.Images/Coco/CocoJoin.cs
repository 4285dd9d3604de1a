namespace MLNet.PQCompression.Images.Coco;

/// <summary>Which pictures of a source annotations are about.</summary>
/// <param name="Images">The annotated images of the source, in its order.</param>
/// <param name="Pictures">The annotated picture that each of them is.</param>
/// <param name="Notes">What is not evaluated, a sentence each.</param>
internal sealed record CocoJoin(ImageSource Images, IReadOnlyList<CocoPicture> Pictures, IReadOnlyList<string> Notes)
{
    /// <summary>Joins by name, as labels are joined.</summary>
    /// <exception cref="InvalidDataException">No image is annotated, or it cannot be told which is.</exception>
    public static CocoJoin Of(ImageSource images, CocoAnnotations annotations)
    {
        CocoPicture[] pictures = [.. annotations.Pictures.Values];
        CsvRow?[] rows = LabelJoin.Rows([.. images.Images.Select(i => i.Name)], new(annotations.Path, [.. pictures.Select((p, i) => new CsvRow(i, p.FileName, $"{i}"))]));
        int[] found = [.. Enumerable.Range(0, rows.Length).Where(i => rows[i] is not null)];
        if (found.Length == 0)
            throw new InvalidDataException($"'{annotations.Path}' is about none of the images of '{images.Path}', such as '{images.Images[0].Name}'; its pictures are such as '{(pictures.Length > 0 ? pictures[0].FileName : "")}'.");
        var notes = new List<string>();
        if (images.Count > found.Length)
            notes.Add($"{images.Count - found.Length} of {images.Count} images are not in '{annotations.Path}' and are not looked at.");
        if (pictures.Length > found.Length)
            notes.Add($"{pictures.Length - found.Length} of {pictures.Length} pictures of '{annotations.Path}' are not among the images; their objects are not counted.");
        return new(images.Select(found), [.. found.Select(i => pictures[rows[i]!.Number])], notes);
    }

    /// <summary>Some of them, drawn at random.</summary>
    public CocoJoin Sample(int count, int seed)
    {
        if (count >= Images.Count)
            return this;
        int[] order = [.. Enumerable.Range(0, Images.Count)];
        new Random(seed).Shuffle(order);
        int[] drawn = [.. order[..count].Order()];
        return new(Images.Select(drawn), [.. drawn.Select(i => Pictures[i])], Notes);
    }
}
