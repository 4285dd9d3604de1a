using System.Collections.Immutable;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Scoring;

/// <summary>The outputs of a network that a row takes, one behind the other.</summary>
/// <param name="Graph">What is scored: the network, or the part of it up to a classifier's scores.</param>
/// <param name="Wanted">The outputs that were asked for by name, or null.</param>
/// <param name="Names">The outputs that are taken.</param>
/// <param name="Lengths">The values of each for an image.</param>
internal sealed record ScoredOutputs(ModelGraph Graph, IReadOnlyList<string>? Wanted, ImmutableArray<string> Names, ImmutableArray<int> Lengths)
{
    private const int MaxLength = 1 << 28;

    /// <summary>All values of an image.</summary>
    public int RowLength => Lengths.Sum();

    /// <summary>Whether the only output is made by a softmax.</summary>
    public bool AreProbabilities => Graph.ProducerOf(Names.Single())?.Operator is Softmax;

    /// <summary>Chooses the outputs and finds out their sizes: by the shapes of operators, or by a plain image where some operators are foreign.</summary>
    /// <exception cref="InvalidModelException">The network has no such output, or none that fits the task.</exception>
    public static ScoredOutputs Find(ModelGraph graph, ImageTask task, IReadOnlyList<string>? wanted, InferenceOptions inference, string source)
    {
        string all = string.Join(", ", graph.Outputs.Select(o => o.Name));
        ModelGraph scored = task == ImageTask.Classifier && wanted is null ? ClassifierPart.Find(graph) ?? graph : graph;
        if (wanted is null && scored.Outputs.Length > 1)
            throw new InvalidModelException($"{source} has {scored.Outputs.Length} outputs ({all}); name the one to take in ModelOutputs, or take several by ImageTask.Outputs.");
        ImmutableArray<string> names = wanted is null ? [scored.OutputName] : [.. wanted];
        if (names.FirstOrDefault(n => !scored.Outputs.Any(o => o.Name == n)) is { } missing)
            throw new InvalidModelException($"{source} has no output '{missing}', only {all}.");
        TensorShape input = scored.Input.Shape.With(0, 1);
        Func<string, TensorShape> shapeOf = scored.ForeignNodes.Any() ? Measure(scored, input, inference, source) : Inferred(scored, input);
        TensorShape[] shapes = [.. names.Select(shapeOf)];
        for (int i = 0; i < shapes.Length; i++)
            if (!shapes[i].IsKnown || shapes[i].Count is < 1 or > MaxLength)
                throw new InvalidModelException($"{source} makes an output '{names[i]}' of shape {shapes[i]} from a plain image; a column needs a fixed number of values.");
        if (task == ImageTask.Classifier && (shapes[0].Rank < 2 || shapes[0].Count != shapes[0][1]))
            throw new InvalidModelException($"{source} makes an output of shape {shapes[0]} from an image; a classifier makes one vector. ImageTask.Featurizer and ImageTask.Outputs take others.");
        return new(scored, wanted, names, [.. shapes.Select(s => (int)s.Count)]);
    }

    private static Func<string, TensorShape> Inferred(ModelGraph graph, TensorShape input)
    {
        IReadOnlyDictionary<string, TensorShape> shapes = ShapeInference.Infer(graph, input);
        return name => shapes[name];
    }

    private static Func<string, TensorShape> Measure(ModelGraph graph, TensorShape input, InferenceOptions inference, string source)
    {
        using IScoringSession session = ScoringSessions.Create(graph, inference with { Threads = 1 });
        IReadOnlyDictionary<string, Activation> outputs = session.Run(new Activation(input, new float[input.Count]));
        return name => outputs[name] is var value and not ForeignValue
            ? value.Shape
            : throw new InvalidModelException($"{source}: the output '{name}' is no tensor of real numbers, which a column cannot hold. ModelOutputs chooses others.");
    }
}
