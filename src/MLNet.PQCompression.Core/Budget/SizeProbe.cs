using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Budget;

/// <summary>The exact size of the file that a plan leads to, before anything is searched: the model is laid out with stand-ins of the right sizes.</summary>
internal static class SizeProbe
{
    /// <summary>Bytes of the file without metadata added later.</summary>
    /// <param name="model">The network, its linear layers in one form.</param>
    /// <param name="layers">Each layer and the choice for it.</param>
    public static long Measure(ModelGraph model, IEnumerable<(LayerPlan Layer, LayerChoice Choice)> layers)
    {
        var changes = new Dictionary<string, Initializer>(StringComparer.Ordinal);
        // Stand-ins differ from each other and from all that is there, since the writer stores equal constants once.
        int different = 1;
        foreach ((LayerPlan layer, LayerChoice choice) in layers.Where(l => l.Choice.BlockSize > 0))
        {
            var codes = new ushort[layer.Shape.Count / choice.BlockSize];
            var random = new Random(different);
            foreach (ref ushort code in codes.AsSpan())
                code = (ushort)random.Next(choice.Codewords);
            var codebook = new float[choice.Codewords * choice.BlockSize];
            codebook[0] = different++;
            changes[layer.Weight] = (layer with { BlockSize = choice.BlockSize }).Tensor(codebook, codes);
            var shift = Enumerable.Range(0, layer.Rows).Select(i => 1e3 * different + i).ToArray();
            foreach ((string name, Initializer value) in OutputCorrection.Find(model, layer.Weight).Absorb(model, shift, shift))
                changes[name] = value;
        }
        return OnnxWriter.Size(model.WithInitializers(changes));
    }
}
