using System.Runtime.InteropServices;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation.Checkpoints;

namespace MLNet.PQCompression.Budget;

/// <summary>Keeps what was measured of each layer, so that neither an interrupted budget nor the next budget of the same network measures it again.</summary>
internal sealed class AnalysisResume(CheckpointFolder folder, string key)
{
    private const int FiguresOfChoice = 6;

    /// <summary>Whatever was kept of the layers, by weight.</summary>
    /// <exception cref="InvalidDataException">What is kept is damaged.</exception>
    public IReadOnlyDictionary<string, LayerSensitivity> Load(CompressionPlan plan)
    {
        if (folder.Load(key) is not { } saved)
            return new Dictionary<string, LayerSensitivity>();
        return plan.Layers.Where(l => saved.Values.ContainsKey(l.Weight)).ToDictionary(l => l.Weight, l =>
        {
            LayerChoice[] choices = [.. MemoryMarshal.Cast<float, double>(saved.Values[l.Weight].AsSpan()).ToArray().Chunk(FiguresOfChoice)
                .Select(f => new LayerChoice((int)f[0], (int)f[1], (long)f[2], f[3], f[4], f[5] != 0))];
            return new LayerSensitivity(l, choices[0], [.. choices[1..]]);
        }, StringComparer.Ordinal);
    }

    /// <summary>Keeps what has been measured so far.</summary>
    public void Save(IReadOnlyList<LayerSensitivity> layers) => folder.Save(key, new("analysis", layers.Count, layers.Where(l => l.Reference is not null).ToDictionary(
        l => l.Plan.Weight,
        l => MemoryMarshal.Cast<double, float>(new[] { l.Reference!.Value }.Concat(l.Choices).SelectMany(Figures).ToArray().AsSpan()).ToArray(), StringComparer.Ordinal), new Dictionary<string, ushort[]>()));

    private static double[] Figures(LayerChoice c) => [c.BlockSize, c.Codewords, c.FileBytes, c.Error, c.Divergence, c.IsMeasured ? 1 : 0];
}
