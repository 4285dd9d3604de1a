using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>The check that what a network computes is numbers, and the search for where they cease to be.</summary>
internal static class FiniteValues
{
    /// <summary>Refuses scores that are not finite.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="shape">C×H×W.</param>
    /// <param name="images">The images scored.</param>
    /// <param name="count">How many.</param>
    /// <param name="outputs">Their scores.</param>
    /// <exception cref="InvalidModelException">A score is not finite; the message names the image, and the first node whose output is not.</exception>
    public static void Require(ModelGraph graph, TensorShape shape, ReadOnlySpan<float> images, int count, ReadOnlySpan<float> outputs)
    {
        if (!FiniteWeights.IsFinite(outputs))
            throw NotFinite(graph, shape, images, count, outputs);
    }

    private static InvalidModelException NotFinite(ModelGraph graph, TensorShape shape, ReadOnlySpan<float> images, int count, ReadOnlySpan<float> outputs)
    {
        int image = 0, length = outputs.Length / count;
        while (FiniteWeights.IsFinite(outputs.Slice(image * length, length)))
            image++;
        var input = new Activation(new([1, .. shape.Dimensions]), images.Slice(image * (int)shape.Count, (int)shape.Count).ToArray());
        string place = $"image {image + 1} of the {count} scored together";
        if (!FiniteWeights.IsFinite(input.Span))
            return new($"Model '{graph.Name}': {place} holds values that are not finite; look at the preprocessing.");
        return new($"Model '{graph.Name}': scores of {place} are not finite: {Origin(new NodeEvaluator(graph), graph.Nodes, _ => input)}");
    }

    /// <summary>Refuses values of a stretch of nodes that are not finite.</summary>
    /// <param name="values">What the stretch gave.</param>
    /// <param name="network">Whose they are, for the message.</param>
    /// <param name="evaluator">Gives the values in between, to find where they cease to be finite.</param>
    /// <param name="nodes">The stretch.</param>
    /// <param name="known">Gives what it reads.</param>
    /// <exception cref="InvalidModelException">A value is not finite; the message names the first node whose output is not.</exception>
    public static void Require(IEnumerable<Activation> values, string network, INodeEvaluator evaluator, IReadOnlyList<Node> nodes, Func<string, Activation> known)
    {
        if (!values.All(v => FiniteWeights.IsFinite(v.Span)))
            throw new InvalidModelException($"Values of {network} are not finite: {Origin(evaluator, nodes, known)}");
    }

    private static string Origin(INodeEvaluator evaluator, IReadOnlyList<Node> nodes, Func<string, Activation> known)
    {
        IReadOnlyDictionary<string, Activation> all = evaluator.Evaluate(nodes, known, _ => true);
        foreach (Node node in nodes)
            if (!FiniteWeights.IsFinite(all[node.Output].Span))
            {
                float largest = node.Inputs.Where(all.ContainsKey).Select(name => Math.Abs(TensorPrimitives.MaxMagnitude(all[name].Span))).DefaultIfEmpty().Max();
                string inputs = largest > 0 ? FormattableString.Invariant($", whose inputs reach {largest:G4}") : "";
                return $"they arise in {node}{inputs}. Float32 does not hold its outputs.";
            }
        return "computed node by node they are finite; please report this.";
    }
}
