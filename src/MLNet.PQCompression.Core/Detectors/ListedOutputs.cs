using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Detectors;

/// <summary>Which outputs of a detector list its boxes, their labels, scores and masks, told by their shapes, and labels from scores by what they hold or are called.</summary>
internal sealed record ListedOutputs(string Boxes, string Labels, string Scores, string? Masks)
{
    private static readonly string[] LabelWords = ["label", "class", "categor"], ScoreWords = ["score", "conf", "prob"];

    /// <summary>The outputs among others; null where it cannot be told which they are.</summary>
    /// <param name="outputs">Names and shapes, and whether an output holds whole numbers where that is known.</param>
    /// <param name="batched">Whether a dimension for the batch stands in front.</param>
    public static ListedOutputs? Find(IEnumerable<(string Name, TensorShape Shape, bool? IsWhole)> outputs, bool batched)
    {
        int front = batched ? 1 : 0;
        var all = outputs.ToArray();
        string[] boxes = [.. all.Where(o => o.Shape.Rank == front + 2 && o.Shape[front + 1] == 4 && o.IsWhole != true).Select(o => o.Name)];
        string[] masks = [.. all.Where(o => o.Shape.Rank == front + 4 && o.Shape[front + 1] is 1 or -1 && o.IsWhole != true).Select(o => o.Name)];
        var flat = all.Where(o => o.Shape.Rank == front + 1 && (front == 0 || o.Shape[0] is 1 or -1)).ToArray();
        if (boxes.Length != 1 || masks.Length > 1 || flat.Length != 2)
            return null;
        int labels = Array.FindIndex(flat, o => o.IsWhole == true);
        if (labels < 0)
            labels = Array.FindIndex(flat, o => Has(o.Name, LabelWords));
        if (labels < 0 && Array.FindIndex(flat, o => Has(o.Name, ScoreWords)) is >= 0 and var scores)
            labels = 1 - scores;
        // Nothing in the declaration tells them apart; torchvision's own order, which the values' types correct when they are there.
        labels = Math.Max(labels, 0);
        return new(boxes[0], flat[labels].Name, flat[1 - labels].Name, masks.FirstOrDefault());
    }

    /// <summary>The same among values.</summary>
    public static ListedOutputs? Find(IReadOnlyDictionary<string, Activation> outputs, bool batched) =>
        Find(outputs.Select(o => (o.Key, o.Value.Shape, (bool?)(o.Value is ForeignValue))), batched);

    /// <summary>The detections in the list, in its order.</summary>
    /// <param name="outputs">The values.</param>
    /// <param name="scaleX">Pixels of the input for one unit of the boxes, along a row.</param>
    /// <param name="scaleY">The same down a column.</param>
    /// <param name="whole">The rectangle of the input that a mask of its size covers.</param>
    /// <param name="leastScore">Candidates with a lower score are left out.</param>
    /// <exception cref="InvalidModelException">The lists are not of one length, or labels are no whole numbers.</exception>
    public IReadOnlyList<Candidate> Read(IReadOnlyDictionary<string, Activation> outputs, double scaleX, double scaleY, DetectionBox whole, float leastScore)
    {
        long[] labels = Integers(outputs[Labels]);
        Span<float> boxes = outputs[Boxes].Span, scores = outputs[Scores].Span;
        Activation? masks = Masks is null ? null : outputs[Masks];
        if (boxes.Length != 4 * labels.Length || scores.Length != labels.Length || (masks is not null && masks.Shape[masks.Shape.Rank - 4] != labels.Length))
            throw new InvalidModelException($"The detector lists {labels.Length} labels ({Labels}), {scores.Length} scores ({Scores}) and {boxes.Length / 4} boxes ({Boxes}); as many of each are expected.");
        var candidates = new List<Candidate>();
        for (int i = 0; i < labels.Length; i++)
            if (scores[i] >= leastScore)
            {
                var box = new DetectionBox(boxes[4 * i] * scaleX, boxes[(4 * i) + 1] * scaleY, boxes[(4 * i) + 2] * scaleX, boxes[(4 * i) + 3] * scaleY);
                candidates.Add(new(checked((int)labels[i]), scores[i], box, masks is null ? null : MaskOf(masks, i, box, whole)));
            }
        return candidates;
    }

    /// <summary>A mask of the input's size lies over all of it, any other over its box.</summary>
    private static MaskMap MaskOf(Activation masks, int index, DetectionBox box, DetectionBox whole)
    {
        int height = masks.Shape[masks.Shape.Rank - 2], width = masks.Shape[masks.Shape.Rank - 1], length = height * width;
        return new(masks.Memory.Slice(index * length, length), height, width, (width, height) == ((int)whole.Right, (int)whole.Bottom) ? whole : box);
    }

    private long[] Integers(Activation value) => value is ForeignValue foreign
        ? foreign.ToIntegers() ?? throw new InvalidModelException($"The labels ({Labels}) of the detector are no whole numbers: {foreign.Describe()}.")
        : [.. value.Span.ToArray().Select(v => (long)MathF.Round(v))];

    private static bool Has(string name, string[] words) => words.Any(w => name.Contains(w, StringComparison.OrdinalIgnoreCase));
}
