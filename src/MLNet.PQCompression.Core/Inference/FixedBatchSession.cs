using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>Scores any number of images with a session that takes a fixed number at once: in groups, the last of which is filled up with its last image.</summary>
internal sealed class FixedBatchSession(IScoringSession session, int batch) : IScoringSession
{
    /// <inheritdoc/>
    public string Engine => session.Engine;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Activation> Run(Activation images)
    {
        ArgumentNullException.ThrowIfNull(images);
        int count = images.Shape[0];
        if (count == batch)
            return session.Run(images);
        var groups = new List<IReadOnlyDictionary<string, Activation>>();
        for (int first = 0; first < count; first += batch)
            groups.Add(Cut(session.Run(Group(images, first)), Math.Min(batch, count - first)));
        return groups[0].Keys.ToDictionary(name => name, name => Join([.. groups.Select(g => g[name])]), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    private Activation Group(Activation images, int first)
    {
        int length = images.Span.Length / images.Shape[0];
        var group = new Activation(images.Shape.With(0, batch));
        for (int i = 0; i < batch; i++)
            images.Span.Slice(Math.Min(first + i, images.Shape[0] - 1) * length, length).CopyTo(group.Span[(i * length)..]);
        return group;
    }

    /// <summary>The rows of the images themselves, without those of the images that filled the group up.</summary>
    private IReadOnlyDictionary<string, Activation> Cut(IReadOnlyDictionary<string, Activation> outputs, int count) => count == batch
        ? outputs
        : outputs.ToDictionary(o => o.Key, o => o.Value is not ForeignValue && o.Value.Shape is { Rank: > 0 } shape && shape[0] % batch == 0 ? Rows(o.Value, shape[0] / batch * count) : o.Value, StringComparer.Ordinal);

    private static Activation Rows(Activation value, int rows) => new(value.Shape.With(0, rows), value.Memory[..(value.Span.Length / value.Shape[0] * rows)]);

    /// <summary>The values of the groups one behind the other along the first dimension. Values without numbers cannot be joined.</summary>
    /// <exception cref="InvalidModelException">A value has no numbers, or the groups' rows differ in size.</exception>
    private Activation Join(Activation[] parts)
    {
        if (parts is [var only])
            return only;
        TensorShape first = parts[0].Shape;
        if (parts.Any(p => p is ForeignValue || p.Shape.Rank != first.Rank || (first.Rank > 0 && p.Shape.With(0, 1) != first.With(0, 1))))
            throw new InvalidModelException($"The model takes {batch} image{(batch == 1 ? "" : "s")} at once, and gives values that cannot be put together for more; run them {batch} at a time.");
        var joined = new Activation(first.Rank == 0 ? new TensorShape(parts.Length) : first.With(0, parts.Sum(p => p.Shape[0])));
        int at = 0;
        foreach (Activation part in parts)
        {
            part.Span.CopyTo(joined.Span[at..]);
            at += part.Span.Length;
        }
        return joined;
    }
}
