using MLNet.PQCompression.Fuzz.Targets;

namespace MLNet.PQCompression.Fuzz;

/// <summary>All readers.</summary>
public static class FuzzTargets
{
    /// <summary>New targets, one of each kind.</summary>
    public static IFuzzTarget[] All => [
        new OnnxTarget(trains: false), new OnnxTarget(trains: true), new TorchTarget(zip: true), new TorchTarget(zip: false), new SafetensorsTarget(),
        new ImageTarget(), new SourceTarget(zip: true), new SourceTarget(zip: false),
    ];
}
