using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation.Data;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>What tests of fine-tuning need: a backend, the tiny network's images, and a folder for checkpoints that goes with the test.</summary>
public abstract class FinetunerFixture : IDisposable
{
    private protected ManagedBackend Backend { get; } = new(2);

    private protected TrainingSet Images { get; } = TinyNetwork.Images();

    private protected string Folder { get; } = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public void Dispose()
    {
        Backend.Dispose();
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
