using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression;

/// <summary>What a <see cref="PqModel"/> does with TorchSharp's modules: come from one, and go back into it.</summary>
public static class PqModelTorch
{
    extension(PqModel)
    {
        /// <summary>The network of a module in memory, such as one of torchvision.models.</summary>
        /// <param name="module">The module; it is not changed.</param>
        /// <param name="architecture">Its architecture, "resnet18"; null finds out from names and shapes.</param>
        /// <exception cref="InvalidModelException">The tensors fit no architecture, or not this one; the message lists what is missing.</exception>
        public static PqModel Of(nn.Module module, string? architecture = null) => new(TorchModule.ToGraph(module, architecture));

        /// <summary>Compresses a module in memory by product quantization; the module itself stays as it is.</summary>
        /// <param name="module">The module, such as one of torchvision.models.</param>
        /// <param name="architecture">Its architecture, "resnet18"; null finds out from names and shapes.</param>
        /// <param name="images">Unlabelled images, preprocessed as the network needs them; a few hundred are enough.</param>
        /// <param name="options">What to do; null for the defaults.</param>
        /// <param name="progress">Told of every layer.</param>
        /// <param name="cancellationToken">Stops at the next step.</param>
        /// <exception cref="InvalidModelException">The tensors do not fit the architecture, or the network cannot be run on the images.</exception>
        /// <exception cref="ArgumentException">The images do not fit the network, there are none, or an option cannot be met.</exception>
        /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
        public static PqModel Compress(
            nn.Module module, string? architecture, ISampleSource images, CompressionOptions? options = null, IProgress<CompressionProgress>? progress = null,
            CancellationToken cancellationToken = default)
        {
            using PqModel teacher = PqModel.Of(module, architecture);
            return teacher.Compress(images, options, progress, cancellationToken);
        }
    }

    extension(PqModel model)
    {
        /// <summary>Puts the weights into a module, quantized ones decoded: to go on training, or to compare.</summary>
        /// <param name="module">A module with tensors of the same names and shapes; tensors that the network has no part of stay.</param>
        /// <exception cref="ArgumentException">The module lacks a tensor of the network, or has it in another shape; it is not changed.</exception>
        public void CopyTo(nn.Module module) => TorchModule.CopyTo(model.Graph, module);
    }
}
