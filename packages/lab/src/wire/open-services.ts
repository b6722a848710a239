import { openProtocols, type ProtocolChooser } from "./open-protocols.ts";
import type { LabService } from "./operation-handler.ts";
import { loadServiceSchemas, type ServiceSchemas } from "./service-schemas.ts";

/** A service whose schemas are loaded. */
export interface OpenedService {
  readonly service: LabService;
  readonly schemas: ServiceSchemas;
  readonly protocolFor: ProtocolChooser;
}

export interface ServiceRegistry {
  /** Loads the service on its first request; undefined for one that the lab doesn't have. */
  open(signingName: string): Promise<OpenedService | undefined>;
}

export function openServices(services: readonly LabService[]): ServiceRegistry {
  const byName = new Map(services.map((service) => [service.signingName, service]));
  const opened = new Map<string, Promise<OpenedService>>();
  return {
    async open(signingName) {
      const service = byName.get(signingName);
      if (service === undefined) return undefined;
      let loading = opened.get(signingName);
      if (loading === undefined) opened.set(signingName, (loading = load(service)));
      return loading;
    },
  };
}

async function load(service: LabService): Promise<OpenedService> {
  const schemas = await loadServiceSchemas(service);
  return { service, schemas, protocolFor: openProtocols(schemas) };
}
